import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../../local/native/install.ts'
import { mongodArguments, mongodCommand } from '../../local/native/mongodb.ts'
import { type NativeService, startService } from '../../local/native/process.ts'
import { freePorts } from '../../local/ports.ts'
import { mongodbAnswers } from '../../local/ready.ts'

/** A MongoDB of one's own, a replica set of one, on a disk that can be filled. After `start` there is room again. */
export interface MongodbOnSmallDisk {
  service: NativeService
  /** Its log, as a file. */
  log: string
  /** Leaves no room at all. */
  fill(): Promise<void>
}

const DISK = '450M'
/** A checkpoint a second, since only then data files grow. */
const QUICK_CHECKPOINTS = ['--setParameter', 'syncdelay=1']

/**
 * Mounts a file as a disk where nobody but mongod sees it, so that it is gone with mongod, and takes away what fills it.
 * Arguments: the file, where it is mounted, then mongod's command line.
 */
const ON_DISK = `mount -o loop "$1" "$2" && rm -f "$2/filler" && shift 2 && exec "$@"`
/** Where we may not mount, a limit on the size of files makes a write fail as a full disk does. */
const WITHOUT_DISK = `trap '' XFSZ; shift 2; exec "$@"`

/** @param directory an empty one, for its data and log */
export async function startMongodbOnSmallDisk(directory: string): Promise<MongodbOnSmallDisk> {
  const mongod = await mongodCommand(() => undefined)
  const [port] = (await freePorts(1)) as [number]
  const data = join(directory, 'data')
  const image = join(directory, 'disk')
  const log = join(directory, 'mongodb.log')
  await mkdir(data)
  const mayMount = await makeDisk(image, data)
  const address = `127.0.0.1:${port}`
  const own = [...mongodArguments({ data, port, oplogMiB: 64, cacheGiB: 0.25 }), ...QUICK_CHECKPOINTS]
  const [shell, script] = mayMount ? [['unshare', '--mount', 'sh'], ON_DISK] : [['sh'], WITHOUT_DISK]
  const [command, ...before] = shell as [string, ...string[]]
  const service = await startService({
    name: 'MongoDB on a small disk',
    command,
    args: [...before, '-c', script, 'sh', image, data, mongod, ...own],
    cwd: directory,
    log,
    address: `mongodb://${address}/?replicaSet=rs0`,
    answers: () => mongodbAnswers(address, { replicaSet: 'rs0' }),
  })
  const fill = async () => {
    const pid = String(await service.pid())
    if (mayMount) await fillDisk(join('/proc', pid, 'root', data))
    else await run('prlimit', ['--pid', pid, '--fsize=65536'])
  }
  return { service, log, fill }
}

/** Makes a disk in a file; whether it can be mounted here. */
async function makeDisk(image: string, mountPoint: string): Promise<boolean> {
  try {
    await run('truncate', ['--size', DISK, image])
    await run('mkfs.ext4', ['-q', '-F', '-m', '0', image])
    await run('unshare', ['--mount', 'mount', '-o', 'loop', image, mountPoint])
    return true
  } catch {
    return false
  }
}

async function fillDisk(path: string): Promise<void> {
  const filler = await open(join(path, 'filler'), 'w')
  try {
    for (const block = Buffer.alloc(65_536); ; ) await filler.write(block)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    await filler.close()
  }
}

import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'

/**
 * A shell that outlives us by a moment. It holds the other end of a pipe; when this process ends, in whatever way
 * (return, signal, uncaught error, kill -9), the pipe closes, and it kills the process groups and removes the
 * directories it was told of. It has a process group of its own, so that Ctrl-C at the terminal does not reach it.
 */
const SCRIPT = `
trap '' INT TERM HUP
pids=
while read -r verb what; do
  case $verb in
    watch) pids="$pids $what" ;;
    forget) left=; for pid in $pids; do [ "$pid" = "$what" ] || left="$left $pid"; done; pids=$left ;;
    directory) set -- "$@" "$what" ;;
  esac
done
for pid in $pids; do kill -KILL "-$pid"; done 2>/dev/null
[ $# -eq 0 ] && exit
sleep 0.2
rm -rf -- "$@"
`

let guard: ChildProcess | null = null

function tell(line: string): void {
  if (guard === null) {
    guard = spawn('sh', ['-c', SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
    guard.unref()
    const pipe = guard.stdin as Socket
    pipe.unref()
    pipe.on('error', () => undefined)
  }
  guard.stdin?.write(`${line}\n`)
}

/** The process group `pid` dies with this process, unless `forget` is called before. */
export const watch = (pid: number): void => tell(`watch ${pid}`)
/** To be called when the group has ended, before its number can be given to another. */
export const forget = (pid: number): void => tell(`forget ${pid}`)
/** The directory is removed when this process ends. */
export const removeAtEnd = (directory: string): void => tell(`directory ${directory}`)

/** The one door to kafkajs: what is replaced in it is replaced before it is loaded. */
import { createRequire } from 'node:module'
import type * as Kafkajs from 'kafkajs'
import './kafkajs-records.ts'
import './kafkajs-fetch.ts'
import './kafkajs-produce.ts'
import './kafkajs-timers.ts'
import './kafkajs-connection.ts'
import './kafkajs-coordinator.ts'
import './kafkajs-stop.ts'
import './kafkajs-codecs.ts'

/** Loaded here and not by an import: Jest loads what a file imports from CommonJS before any of it runs. */
export const kafkajs: typeof Kafkajs = createRequire(import.meta.url)('kafkajs')

/** The one door to kafkajs: what is replaced in it is replaced before it is loaded. */
import './kafkajs-records.ts'
import './kafkajs-produce.ts'
import './request-queue.ts'
import kafkajs from 'kafkajs'

export { kafkajs }

/** What an application does today, as plainly as it can be done: Express and Mongoose before the same collection. */
import express from 'express'
import mongoose from 'mongoose'

const { MONGODB_URI = '', MONGODB_DATABASE = '', PORT = '0' } = process.env

const schema = new mongoose.Schema(
  {
    _id: { type: String },
    card: { type: String },
    http_status: { type: Number },
    response: { type: Object },
  },
  { timestamps: true, collection: 'pm_parking_events' },
)
const Event = mongoose.model('Event', schema)
await mongoose.connect(MONGODB_URI, { dbName: MONGODB_DATABASE })

const app = express()

app.get('/v1/events/:id', async (request, response) => {
  const event = await Event.findById(request.params.id)
  if (event === null) response.sendStatus(404)
  else response.json(event)
})

app.get('/v1/events', async (request, response) => {
  const events = await Event.find({ card: String(request.query.card) })
    .sort({ createdAt: -1 })
    .limit(50)
  response.json({ events })
})

const server = app.listen(Number(PORT), '127.0.0.1', () => {
  process.stdout.write(`listening ${(server.address() as { port: number }).port}\n`)
})

/** One message of a stream of server-sent events. */
export interface Message {
  event: string
  data: string
  /** The position that the stream had reached with it; empty when it has told none. */
  id: string
}

export interface SseParser {
  /** Takes decoded text, cut anywhere. */
  push(text: string): void
  /** The position after the last whole message, also of those that have an id only. */
  lastId(): string
}

/**
 * Reads `text/event-stream` as the HTML standard has it: lines end with LF, CR or CRLF, a message with an empty line; a
 * message without data is none, but its id counts. Comments only show that somebody is there. The decoder has taken a
 * byte order mark out.
 */
export function createSseParser(onMessage: (message: Message) => void): SseParser {
  let rest = ''
  let afterReturn = false
  let event = ''
  let data: string[] = []
  let id = ''
  let lastId = ''

  function endOfMessage(): void {
    lastId = id
    if (data.length > 0) onMessage({ event: event || 'message', data: data.join('\n'), id })
    event = ''
    data = []
  }

  function line(text: string): void {
    if (text === '') {
      endOfMessage()
      return
    }
    const colon = text.indexOf(':')
    const field = colon === -1 ? text : text.slice(0, colon)
    const value = colon === -1 ? '' : text.slice(text[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'data') data.push(value)
    else if (field === 'event') event = value
    else if (field === 'id' && !value.includes('\0')) id = value
  }

  return {
    lastId: () => lastId,
    push(text) {
      // The CR that ended the last chunk has ended its line; a LF right after it belongs to it.
      const chunk = afterReturn && text.startsWith('\n') ? text.slice(1) : text
      if (text !== '') afterReturn = text.endsWith('\r')
      const lines = (rest + chunk).split(/\r\n|\n|\r/)
      rest = lines.pop() ?? ''
      for (const one of lines) line(one)
    },
  }
}

import { type Cursor, cursorOf } from '../cursor.ts'
import { RequestProblem } from './problems.ts'

/** @throws RequestProblem when it is none that was given. */
export function readCursor(text: string): Cursor {
  const cursor = cursorOf(text)
  if (cursor === null) throw new RequestProblem('bad-request', '"before" is none that was given with a page')
  return cursor
}

/** A record that becomes a dead letter, and why. */
export class Faulty extends Error {
  readonly reason: string
  constructor(reason: string) {
    super(reason)
    this.reason = reason
  }
}

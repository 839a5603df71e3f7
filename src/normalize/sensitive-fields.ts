import type { Json } from '../contract/record.ts'

/**
 * Fields of a card payment that nobody may keep (PCI DSS 3.3: security codes, track data, PIN; and the expiry, which
 * nobody here needs). They are known by name, written in any case and with any separators: `card_expiry`, `CardExpiry`
 * and `card-expiry` are one. Only whole names count: `expires_at`, `status: expired`, `pinned` or `pincode` (a postal
 * code) are none of them.
 */
const DROPPED = new Set(
  `cvv cvv1 cvv2 cvc cvc1 cvc2 cvn cvn2 ccv ccv2 csc cav cav2 cvd
  cardcvv cardcvv2 cardcvc cardcvc2 cardcsc cardccv cccvv cccvc cvvcode cvccode cvvnumber cvcnumber
  securitycode cardsecuritycode ccsecuritycode verificationcode verificationvalue
  cardverificationcode cardverificationvalue cardverificationnumber
  ccnumber ccnum creditcardcvv creditcardcvc
  expirymonth expiryyear expmonth expyear expirationmonth expirationyear
  cardexpiry cardexpirydate cardexpirymonth cardexpiryyear cardexp cardexpdate cardexpmonth cardexpyear
  cardexpiration cardexpirationdate cardexpirationmonth cardexpirationyear
  ccexpiry ccexpirydate ccexp ccexpdate ccexpmonth ccexpyear ccexpirymonth ccexpiryyear ccexpiration ccexpirationdate
  creditcardexpiry creditcardexpirydate creditcardexpiration creditcardexpirationdate
  track1 track2 track3 trackdata track1data track2data track3data trackone tracktwo tracks
  magstripe magstripedata magneticstripe magneticstripedata
  pin pinblock encryptedpinblock cardpin pinnumber pindata`.split(/\s+/),
)

/** Fields that are a card's expiry only when they hold a month and a year; a parking right has such dates too. */
const DROPPED_IF_MONTH = new Set(
  'expiry expirydate expiration expirationdate expdate exp validthru validthrough'.split(' '),
)

/** `12/27`, `12/2027`, `12-27`, `1227`, `2027-12`. */
const MONTH_AND_YEAR =
  /^\s*(?:(?:0?[1-9]|1[0-2])\s?[/-]\s?(?:20)?\d\d|(?:0[1-9]|1[0-2])(?:20)?\d\d|20\d\d[/-](?:0[1-9]|1[0-2]))\s*$/

export type Sensitivity = 'keep' | 'drop' | 'drop-month'

/** What becomes of a field of this name. */
export function sensitivityOf(name: string): Sensitivity {
  const plain = plainName(name)
  return DROPPED.has(plain) ? 'drop' : DROPPED_IF_MONTH.has(plain) ? 'drop-month' : 'keep'
}

/** Whether the value of a `drop-month` field is the expiry of a card. */
export function isMonthAndYear(value: Json): boolean {
  return (typeof value === 'string' || typeof value === 'number') && MONTH_AND_YEAR.test(String(value))
}

/** A field name without case and separators: `Card-Expiry` → `cardexpiry`. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '')
}

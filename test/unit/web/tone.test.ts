import { expect, test } from '@jest/globals'
import { toneOf } from '../../../web/src/tone.ts'

test('words have the tone of what they mean, errors are wrong, and unknown words are plain', () => {
  expect(['on-going', 'alerted', 'finished', 'cancelled', 'declined'].map((word) => toneOf(word))).toEqual([
    'going',
    'soon',
    'over',
    'back',
    'wrong',
  ])
  expect([
    toneOf('200', 'error'),
    toneOf(null, 'tombstone'),
    toneOf('prepaid'),
    toneOf(null),
    toneOf('constructor'),
  ]).toEqual(['wrong', 'back', 'plain', 'plain', 'plain'])
})

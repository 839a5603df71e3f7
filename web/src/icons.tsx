/** Drawn in the colour of the text around them; the text says what they mean. */
const PATHS = {
  zones: 'M4 20V6l6-2 4 2 6-2v14l-6 2-4-2zM10 4v14M14 6v14',
  live: 'M3 12h4l3-8 4 16 3-8h4',
  sessions: 'M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.5 15.5 20 20',
  cache: 'M4 17a8 8 0 1 1 16 0M12 17l4-5M4 17h2M18 17h2',
  'dead-letters': 'M4 7h16v11H4zM4 7l8 6 8-6',
  light:
    'M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M19 5l-1.4 1.4M6.4 17.6 5 19',
  dark: 'M20 14.5A8 8 0 0 1 9.5 4 8 8 0 1 0 20 14.5z',
  system: 'M4 5h16v11H4zM9 20h6M12 16v4',
  key: 'M8 11a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM11 12l8-8M16 7l3 3',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  )
}

export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" />
      <path d="M11 25V7h6.4a5.8 5.8 0 0 1 0 11.6H11" />
    </svg>
  )
}

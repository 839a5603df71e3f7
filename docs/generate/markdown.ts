/** A page: its parts with an empty line between, below the line that says where it comes from. */
export const page = (title: string, source: string, ...parts: string[]): string =>
  `${[`# ${title}`, `<!-- Made from ${source} by \`npm run docs\`. -->`, ...parts].join('\n\n')}\n`

export const table = (head: string[], rows: string[][]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.map(cell).join(' | ')} |`).join('\n')

export const code = (text: string): string => (text === '' ? '' : `\`${text}\``)

export const fenced = (text: string, language = ''): string => `\`\`\`${language}\n${text.trim()}\n\`\`\``

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

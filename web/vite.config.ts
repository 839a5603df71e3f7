import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

/** The page of `serve`: hashed files and nothing inline, so that a policy of `'self'` alone can hold. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // Relative, so that the page also works below a path of a proxy.
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: false,
    // Whose work the page holds: their licences ask that they be named wherever it goes.
    license: { fileName: 'third-party.md' },
    // Browsers that know `light-dark()`, which holds both colour schemes in one place.
    target: ['chrome123', 'firefox124', 'safari17.5'],
  },
})

import { defineConfig } from 'vite'

export default defineConfig({
  // The built page works in any folder of a site.
  base: './',
  worker: { format: 'es' },
  // A picture that is part of the page's script could not be loaded by itself.
  build: { target: 'es2024', assetsInlineLimit: 0 },
})

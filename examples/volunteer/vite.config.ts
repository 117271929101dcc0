import { defineConfig } from 'vite'

export default defineConfig({
  // The page may be served from any folder.
  base: './',
  build: { target: 'es2024' },
  worker: { format: 'es' },
})

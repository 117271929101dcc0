import { render } from 'preact'
import { App } from './ui/app.tsx'

const root = document.getElementById('app')
if (root !== null) render(<App />, root)

// A built page works without a network from its second visit on. Without a service worker it is only not kept.
if (import.meta.env.PROD && 'serviceWorker' in navigator)
  addEventListener('load', () => void navigator.serviceWorker.register('./offline.js').catch(() => {}))

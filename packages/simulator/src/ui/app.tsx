import { useEffect, useState } from 'preact/hooks'
import { Header } from './header.tsx'
import { Help } from './help.tsx'
import { PlayRoom } from './play-room.tsx'
import { route } from './route.ts'
import './app.css'
import './theme.css'

export function App() {
  const [isHelping, setHelping] = useState(false)
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key === '?' && !(event.target instanceof HTMLInputElement)) setHelping(true)
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [])
  return (
    <>
      <Header route={route.value} onHelp={() => setHelping(true)} />
      <PlayRoom />
      <Help isOpen={isHelping} onClose={() => setHelping(false)} />
    </>
  )
}

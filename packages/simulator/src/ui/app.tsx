import { useEffect, useState } from 'preact/hooks'
import { Header } from './header.tsx'
import { Help } from './help.tsx'
import { lazy } from './lazy.tsx'
import { PlayRoom } from './play-room.tsx'
import { type Route, route } from './route.ts'
import './app.css'
import './theme.css'

const ChallengesRoom = lazy(async () => (await import('../challenges-room/challenges-room.tsx')).ChallengesRoom)
const CompareRoom = lazy(async () => (await import('../compare/compare-room.tsx')).CompareRoom)
const LessonsRoom = lazy(async () => (await import('../lessons-room/lessons-room.tsx')).LessonsRoom)

function Room({ route: to }: { route: Route }) {
  switch (to.room) {
    case 'lessons':
      return <LessonsRoom name={to.name} />
    case 'challenges':
      return <ChallengesRoom name={to.name} />
    case 'compare':
      return <CompareRoom name={to.name} />
    default:
      return <PlayRoom link={to.room === 'play' ? to.link : ''} />
  }
}

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
      <Room route={route.value} />
      <Help isOpen={isHelping} onClose={() => setHelping(false)} />
    </>
  )
}

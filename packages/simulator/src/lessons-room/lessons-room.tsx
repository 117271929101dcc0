import { lessons } from '../lessons/index.ts'
import { LessonList } from './lesson-list.tsx'
import { LessonPage } from './lesson-page.tsx'
import './lessons-room.css'

export function LessonsRoom({ name }: { name: string | undefined }) {
  if (name === undefined) return <LessonList />
  const lesson = lessons.find((one) => one.name === name)
  if (lesson === undefined)
    return (
      <main class="room">
        <h1>There is no such lesson</h1>
        <p>
          No lesson is called “{name}”. <a href="#/lessons">All lessons</a>
        </p>
      </main>
    )
  return <LessonPage key={name} lesson={lesson} />
}

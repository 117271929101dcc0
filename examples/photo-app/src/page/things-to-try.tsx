import { brokenPhoto } from './sample-photos.ts'
import type { Adding } from './use-add-photos.ts'

export function ThingsToTry({ adding: { add } }: { adding: Adding }) {
  return (
    <section className="panel" aria-labelledby="try-heading">
      <h2 id="try-heading">Try this</h2>
      <ol className="steps">
        <li>Cut the network, drop ten photos, close this tab, and open it again. All ten are done, each once.</li>
        <li>Open a second tab. One of them sends; close it, and the other takes over.</li>
        <li>
          <button type="button" className="link" onClick={() => void add(brokenPhoto)}>
            Add a broken photo
          </button>
          . It fails with its reason, and holds up no other.
        </li>
        <li>Sign out and in as somebody else. Nothing is mixed.</li>
      </ol>
    </section>
  )
}

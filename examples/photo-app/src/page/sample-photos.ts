const GOOD = import.meta.glob<string>(
  '../../../photo-resize/photos/{alpine-lake,aurora,canyon-walls,desert-dunes,foggy-spruces,full-moon,misty-ridges,ocean-sunset,pressed-fern,ringed-planet}.jpg',
  { query: '?url', import: 'default', eager: true },
)
const BROKEN = import.meta.glob<string>('../../../photo-resize/photos/broken.jpg', {
  query: '?url',
  import: 'default',
  eager: true,
})

async function fetched(urls: Record<string, string>): Promise<File[]> {
  return Promise.all(
    Object.entries(urls).map(async ([path, url]) => {
      const response = await fetch(url)
      if (!response.ok) throw new Error(`the server answered ${response.status}`)
      const type = 'image/jpeg'
      return new File([await response.arrayBuffer()], path.slice(path.lastIndexOf('/') + 1), { type })
    }),
  )
}

/** Ten photos that come with the page. @throws Error without a network */
export const samplePhotos = (): Promise<File[]> => fetched(GOOD)

/** A photo that ends in its middle. @throws Error without a network */
export const brokenPhoto = (): Promise<File[]> => fetched(BROKEN)

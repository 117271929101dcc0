// uPlot asks for the browser's language when it is loaded, and ends at one that is no language, such as the
// `en-US@posix` of a machine without a locale.
try {
  new Intl.NumberFormat(navigator.language)
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en', configurable: true })
}

export default {
  'consumer.greet': ({ name }, ctx) => {
    ctx.progress(1)
    return `hello ${name}`
  },
}

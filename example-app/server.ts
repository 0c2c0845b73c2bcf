import cluster from 'node:cluster'
import { readEnvironment } from './environment.ts'
import { startExample } from './start-example.ts'
import { startWorkers } from './workers.ts'

const options = readEnvironment()

try {
  if (cluster.isPrimary && options.workers > 1) {
    const url = await startWorkers(options)
    console.log(`The example app is at ${url}, with ${options.workers} workers`)
  } else {
    const { url, secondUrl } = await startExample(options)
    if (cluster.isPrimary) console.log(`The example app is at ${url}`)
    else process.send?.('ready')
    if (secondUrl) console.log(`The second app is at ${secondUrl}`)
  }
} catch (error) {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
  console.error(`Port ${options.port} is taken. Another one: PORT=8001 npm start`)
  process.exit(1)
}

import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Program } from './agent.ts'

/** The repository's root: this file runs from dist/test/clients. */
export const root = join(import.meta.dirname, '../../..')
export const cache = process.env.OTTLA_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'ottla')
const peers = process.env.PEERS_HOME ?? join(cache, 'peers')
const kafkaVersion = process.env.KAFKA_VERSION ?? '4.3.1'
const libs = join(peers, 'kafka', kafkaVersion, 'libs')
const clients = join(root, 'test/clients')
const log4j = join(root, 'test/peers/kafka/log4j2-tools.properties')

export type Language = 'node' | 'python' | 'go' | 'java' | 'kcat'

const node = (file: string): Program => ({ command: process.execPath, args: [join(cache, 'clients/node', file)] })
const python = (file: string): Program => ({
  command: join(cache, 'clients/python/bin/python'),
  args: ['-u', join(clients, 'python', file)],
  env: { PYTHONDONTWRITEBYTECODE: '1', PYTHONWARNINGS: 'ignore' },
})
const go = (name: string): Program => ({ command: join(cache, 'clients/go-agent'), args: [name] })
const java = (jar: string | null, ...main: string[]): Program => ({
  command: process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin/java') : 'java',
  args: [
    ...['-Xmx512m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', `-Dlog4j2.configurationFile=${log4j}`],
    '-cp',
    [...(jar ? [join(cache, 'clients', jar)] : []), join(cache, 'clients/java'), join(libs, '*')].join(':'),
    ...main,
  ],
})

/** Every client that speaks the agents' verbs. */
export const agents: Record<string, { language: Language; program: Program }> = {
  kafkajs: { language: 'node', program: node('kafkajs.js') },
  platformatic: { language: 'node', program: node('platformatic.js') },
  confluent: { language: 'python', program: python('confluent.py') },
  'kafka-python': { language: 'python', program: python('kafka_python.py') },
  aiokafka: { language: 'python', program: python('aiokafka_agent.py') },
  'franz-go': { language: 'go', program: go('franz-go') },
  sarama: { language: 'go', program: go('sarama') },
  'kafka-go': { language: 'go', program: go('kafka-go') },
  'java-4.3': { language: 'java', program: java(null, 'Agent') },
  'java-4.4': { language: 'java', program: java('kafka-clients-4.4.0.jar', 'Agent') },
}

/** What a broker is started with: without the variables of the tests, which it would take for settings of its own. */
export const brokerEnvironment: NodeJS.ProcessEnv = { ...process.env }
delete brokerEnvironment.OTTLA_CACHE

export const toolScript = join(root, 'test/peers/kafka/tool.sh')
/** java/Semantics.java; after the address come a tag and the names of the checks. */
export const semantics = java('kafka-clients-4.4.0.jar', 'Semantics')
export const installScript = join(clients, 'install.sh')

if (!existsSync(installScript)) throw new Error(`run this from a checkout: ${installScript} is missing`)

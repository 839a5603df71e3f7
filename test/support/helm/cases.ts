import type { Values } from './manifests.ts'

/** The least that can be installed. */
export const LEAST = { settings: { KAFKA_BROKERS: 'kafka-1:9092' }, secrets: { MONGODB_URI: 'parking' } }

const SERVE = { enabled: true, authKeys: 'parking-keys/keys.json' }

/** Stages apart, each scaled by lag, with volumes for the heads, and brokers that ask who one is. */
const APART = {
  stages: 'apart',
  settings: {
    KAFKA_BROKERS: ['kafka-1:9093', 'kafka-2:9093'],
    KAFKA_SSL: true,
    KAFKA_SASL_MECHANISM: 'scram-sha-512',
    SCHEMA_REGISTRY_URL: 'https://registry.example.com',
    RETENTION_DAYS: 0.5,
    MAX_RECORD_BYTES: 16_777_216,
  },
  secrets: {
    MONGODB_URI: 'parking',
    CARD_TOKEN_KEY: 'parking',
    KAFKA_SASL_USERNAME: 'kafka-user/username',
    KAFKA_SASL_PASSWORD: 'kafka-user/password',
    KAFKA_SSL_CA: 'kafka-cluster-ca-cert/ca.crt',
  },
  ingest: { scaling: { by: 'keda', max: 6 } },
  status: { scaling: { by: 'keda' } },
  state: { kind: 'persistent', size: '5Gi', storageClass: 'fast' },
}

/** The read side with everything around it. */
const WITH_SERVE = {
  settings: {
    KAFKA_BROKERS: 'kafka-1:9092',
    SERVE_CACHE_MB: 128,
    SERVE_TRUSTED_PROXIES: '10.0.0.0/8',
    JWT_ISSUER: 'https://login.example.com/',
    JWT_AUDIENCE: 'parking',
    JWT_JWKS_URL: 'https://login.example.com:8443/jwks.json',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.monitoring:4318',
  },
  secrets: { MONGODB_URI: 'parking', CARD_TOKEN_KEY: 'parking', PRIMARY_MYSQL_URI: 'mysql-reader/uri' },
  processor: { scaling: { by: 'hpa' }, pod: { priorityClassName: 'high' } },
  serve: {
    ...SERVE,
    metricsKey: 'parking-keys/prometheus',
    settings: { LOG_LEVEL: 'warn' },
    secrets: { MONGODB_URI: 'parking-reader' },
    scaling: { by: 'hpa', min: 3 },
    ingress: {
      enabled: true,
      className: 'public',
      hosts: ['parking.example.com'],
      tls: [{ secretName: 'parking-tls', hosts: ['parking.example.com'] }],
    },
    route: {
      enabled: true,
      parentRefs: [{ name: 'public', namespace: 'gateways' }],
      hostnames: ['parking.example.com'],
    },
  },
  metrics: { serviceMonitor: { enabled: true, labels: { release: 'prometheus' } } },
  networkPolicy: {
    metricsFrom: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
    serveFrom: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'gateways' } } }],
    egress: {
      enabled: true,
      kafka: { to: [{ podSelector: { matchLabels: { 'strimzi.io/kind': 'Kafka' } } }] },
      more: [{ ports: [{ port: 3128, protocol: 'TCP' }] }],
    },
  },
}

/** Those whose objects are kept as files, and looked at by people. */
export const GOLDEN: Record<string, Values> = { least: LEAST, apart: APART, serve: WITH_SERVE }

const POD = {
  listenOn: '::',
  terminationGracePeriodSeconds: 60,
  annotations: { 'reloader.stakater.com/auto': 'true' },
  labels: { team: 'parking' },
  nodeSelector: { 'kubernetes.io/os': 'linux' },
  tolerations: [{ key: 'spot', operator: 'Exists', effect: 'NoSchedule' }],
  affinity: { nodeAffinity: {} },
  topologySpread: [{ topologyKey: 'kubernetes.io/hostname', maxSkew: 2, whenUnsatisfiable: 'DoNotSchedule' }],
  extraEnv: [{ name: 'NODE_EXTRA_CA_CERTS', value: '/etc/ca/ca.crt' }],
  extraVolumes: [{ name: 'ca', configMap: { name: 'ca' } }],
  extraVolumeMounts: [{ name: 'ca', mountPath: '/etc/ca', readOnly: true }],
}

const stages = ['together', 'apart', 'ingest', 'status', 'none']
const states = ['ephemeral', 'persistent', 'memory']

/** All that must hold holds for each of these. */
export const MATRIX: Record<string, Values> = {
  ...GOLDEN,
  ...Object.fromEntries(
    stages.flatMap((chosen) =>
      states.map((kind) => [
        `stages ${chosen}, state ${kind}`,
        {
          ...LEAST,
          stages: chosen,
          state: { kind },
          serve: { ...SERVE, state: { kind: kind === 'memory' ? kind : 'ephemeral' } },
        },
      ]),
    ),
  ),
  'by lag, both stages': { ...LEAST, processor: { scaling: { by: 'keda' } } },
  'by lag, with volumes': {
    ...LEAST,
    state: { kind: 'persistent', retain: true },
    processor: { scaling: { by: 'keda' } },
  },
  'by lag, an authentication of one’s own': {
    ...APART,
    keda: { authentication: { kind: 'ClusterTriggerAuthentication', name: 'kafka' } },
  },
  'by lag, a user name that is no secret': {
    ...APART,
    settings: { ...APART.settings, KAFKA_SASL_USERNAME: 'parking' },
    secrets: { ...APART.secrets, KAFKA_SASL_USERNAME: null },
  },
  'by processor time': {
    ...APART,
    ingest: { scaling: { by: 'hpa' } },
    status: { scaling: { by: 'hpa' } },
    serve: { ...SERVE, scaling: { by: 'hpa' } },
  },
  'everything about pods': {
    ...LEAST,
    pod: POD,
    serve: { ...SERVE, pod: { labels: { team: 'mobile' }, topologySpread: [] } },
  },
  'as few objects as can be': {
    ...LEAST,
    stages: 'status',
    secrets: {},
    state: { kind: 'memory' },
    networkPolicy: { enabled: false },
    podDisruptionBudget: { enabled: false },
    serviceAccount: { create: false },
    pod: { topologySpread: [] },
    status: { nodeOptions: '', resources: null },
  },
  'as many partitions as processors': { ...LEAST, partitions: 48, processor: { replicas: 48 } },
  'names and an image of one’s own': {
    ...LEAST,
    nameOverride: 'parking',
    fullnameOverride: 'a-very-long-name-that-just-fits-in-the-room-x',
    image: { repository: 'registry.example.com:5000/team/parking', digest: `sha256:${'0'.repeat(64)}` },
    imagePullSecrets: [{ name: 'registry' }],
    serviceAccount: { name: 'parking', annotations: { team: 'parking' } },
  },
  'rules and dashboards': {
    ...LEAST,
    metrics: { serviceMonitor: { enabled: true }, prometheusRule: { enabled: true }, dashboards: { enabled: true } },
  },
  'one part after the other': {
    ...LEAST,
    stages: 'apart',
    image: { repository: 'pm-parking-events', tag: '0.2.1' },
    ingest: { tag: '0.2.0' },
  },
  'a percentage may be away': { ...LEAST, podDisruptionBudget: { maxUnavailable: '50%' } },
}

import { createServer } from 'node:http';
import { KubeConfig } from '@kubernetes/client-node';
import { clientNode, createOperator, leaderElection } from '@kollect/kubernetes';
import { kafkaSink } from '@kollect/sink-kafka';
import { postgresSink } from '@kollect/sink-postgres';

const config = new KubeConfig();
config.loadFromDefault();
const api = clientNode(config);

const operator = createOperator({
  api,
  cluster: process.env['CLUSTER_NAME'] ?? 'east',
  sinks: [postgresSink, kafkaSink],
  leader: leaderElection({ lease: 'kollect', namespace: process.env['POD_NAMESPACE'] ?? 'kollect-system' }),
  logger: console,
});

const probes = createServer((request, response) => {
  const { live, ready } = operator.health;
  response.writeHead((request.url === '/readyz' ? ready : live) ? 200 : 503).end();
}).listen(8080);

process.once('SIGTERM', () => void operator.close());
await operator.run();
await api.close();
probes.close();

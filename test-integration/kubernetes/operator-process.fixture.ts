// An operator in a process of its own, which may be killed. Says `leading` when it begins to lead.
import { clientNode, createOperator, leaderElection } from '@kollect/kubernetes';
import { kafkaSink } from '@kollect/sink-kafka';
import { postgresSink } from '@kollect/sink-postgres';
import type { KubernetesConnection } from '../servers/kubernetes.ts';
import { configOf, testEgress } from './operator-setup.ts';

const { server, identity } = JSON.parse(process.argv[2] ?? '') as {
  readonly server: Pick<KubernetesConnection, 'url' | 'ca' | 'token'>;
  readonly identity: string;
};
const operator = createOperator({
  api: clientNode(configOf(server)),
  cluster: 'east',
  sinks: [postgresSink, kafkaSink],
  egress: testEgress(),
  leader: leaderElection({
    lease: 'kollect',
    namespace: 'default',
    identity,
    leaseDuration: '3s',
    renewDeadline: '2s',
    retryPeriod: '500ms',
  }),
});
process.once('disconnect', () => void operator.close());
setInterval(() => process.connected && process.send?.({ leading: operator.health.leading }), 100).unref();
await operator.run();

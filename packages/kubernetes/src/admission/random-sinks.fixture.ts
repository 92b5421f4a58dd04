import type { Random } from '../../../core/src/contract/fuzz.fixture.ts';
import { registry } from './registry.fixture.ts';

const addresses = [
  '127.0.0.1',
  '127.1',
  '169.254.169.254',
  '10.1.2.3',
  '10.2.2.3',
  '203.0.113.7',
  '8.8.8.8',
  '0.0.0.0',
  '255.255.255.255',
  '2852039166',
  '0x7f.1',
  '0177.0.0.1',
  '256.1.1.1',
  '1.2.3',
  '[::1]',
  '[::]',
  '::1',
  '[fd00:ec2::254]',
  '[fe80::1]',
  '[fe80::1%1]',
  '[2001:db8::1]',
  '[2001:4860::8888]',
  '[::ffff:8.8.8.8]',
  '[::ffff:7f00:1]',
  '[::8.8.8.8]',
  '[64:ff9b::808:808]',
  '[64:ff9b:1::1]',
  '[2002:808:808::]',
  '[::ffff:0:8.8.8.8]',
  '[FD00::1]',
  'localhost',
  'LocalHost',
  'x.localhost',
  'localhost.example',
  'kafka',
  'kafka-0.shop.svc',
  'db.example.',
  'a..b',
  '',
  '.',
  '7',
  'x7',
  'a.0x',
  '100%',
] as const;
const frames = [
  '#',
  '#:9092',
  'https://#',
  'https://#:443/a',
  'HTTPS://#?q=@b',
  'a@#',
  'ssh://git@#/x',
  '#,#',
  '#.',
  '#..',
  ' #',
  '#/',
  '#\\@b',
  '[#',
  '#]',
  '#:1:2',
  '%31#',
];
const parts = [
  'https://',
  'a',
  ':',
  'b',
  '@',
  '/',
  ' ',
  'password',
  'PassWord',
  '=',
  '"',
  '-----BEGIN ',
  'RSA ',
  'PRIVATE KEY',
  'private key',
  'ghp_',
  'x'.repeat(20),
  'glpat-',
  'AKIA',
  'ABCDEFGH12345678',
  '\t',
  '_',
  'ü',
  '😀',
  '#',
  '?',
  '\n',
  'pwd',
  "'",
  'y'.repeat(600),
  'xoxb-',
  '12345678',
];
const names = [
  'a',
  'X-Token',
  'tokens',
  'apiKey',
  'api_key',
  'API-KEY',
  'keyboard',
  'Authorization',
  'cookie',
  'secret-name',
  'ca',
  'credentials',
  'my.password',
  '__proto__',
];

const oneOf = <T>(random: Random, list: readonly T[]): T => list[random(list.length)] as T;
const listOf = <T>(random: Random, most: number, make: () => T): T[] => Array.from({ length: random(most + 1) }, make);
const secrets = [
  'https://a:b@c',
  'password=x',
  ['-----BEGIN', 'PRIVATE KEY-----'].join(' '),
  `glpat-${'x'.repeat(20)}`,
];
const address = (random: Random): string => {
  if (random(3) > 0) return 'kafka.shop:9092';
  if (random(8) === 0) return oneOf(random, secrets);
  const framed = oneOf(random, frames).replaceAll('#', () => oneOf(random, addresses));
  return random(20) === 0 ? framed + text(random) : framed;
};
const text = (random: Random): string => {
  const choice = random(12);
  if (choice > 3) return oneOf(random, ['inventory', 'a.b', '']);
  if (choice === 3) return oneOf(random, secrets);
  return listOf(random, 7, () => oneOf(random, parts)).join('');
};
/** Where few texts stand, more of them have to be secrets. */
const riskyText = (random: Random): string => (random(3) === 0 ? oneOf(random, secrets) : text(random));
const map = (random: Random): object =>
  Object.fromEntries(listOf(random, 2, () => [random(3) > 0 ? 'a' : oneOf(random, names), riskyText(random)] as const));

function blockOf(type: string, random: Random): object {
  const sometimes = (field: string, make: () => unknown): object => (random(3) === 0 ? { [field]: make() } : {});
  switch (type) {
    case 'postgres':
      return {
        database: text(random),
        table: text(random),
        ...sometimes('tls', () => ({ mode: 'require', serverName: text(random) })),
      };
    case 'kafka':
      return {
        brokers: listOf(random, 3, () => address(random)),
        topic: text(random),
        ...sometimes('headers', () => map(random)),
        ...sometimes('newTopic', () => ({ configs: map(random) })),
        ...sometimes('tls', () => ({})),
      };
    case 'nats':
      return {
        servers: listOf(random, 3, () => address(random)),
        stream: text(random),
        ...sometimes('headers', () => map(random)),
      };
    default:
      return {
        'end-point': address(random),
        ...sometimes('import', () => listOf(random, 2, () => ({ url: address(random), labels: map(random) }))),
        ...(random(10) === 0 ? { apiToken: text(random) } : {}),
      };
  }
}

/** A spec that is all right, or all wrong in one way or another, as its schema allows it. */
export function randomSinkSpec(random: Random): object {
  const type = oneOf(random, [...registry.types, ...registry.types, 'oracle']);
  const ca =
    random(8) === 0
      ? { ca: random(2) === 0 ? { bundle: riskyText(random) } : { secretRef: { name: 'a', key: 'b' } } }
      : {};
  return { type, ...(random(10) === 0 ? {} : { [type]: blockOf(type, random) }), ...ca };
}

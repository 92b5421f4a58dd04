import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Consumer, ListOffsetTimestamps } from '@platformatic/kafka';
import { CompressionCodecs, CompressionTypes, Kafka } from 'kafkajs';

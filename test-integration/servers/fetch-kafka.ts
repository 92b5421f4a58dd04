// Fetches Kafka's jars, so that the first test run does not have to.
import { kafkaClasspath } from './kafka-jars.ts';

process.stdout.write(`${await kafkaClasspath()}\n`);

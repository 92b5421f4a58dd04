// Removes what the build makes: every package's dist and build info.
import { globSync, rmSync } from 'node:fs';

for (const made of globSync(['packages/*/dist', 'packages/*/node_modules/.cache', 'temp']))
  rmSync(made, { recursive: true, force: true });

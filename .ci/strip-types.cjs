// A jest transform with no compiler in it: Node strips the types itself, keeping every line and column where it was.
const { createHash } = require('node:crypto');
const { stripTypeScriptTypes } = require('node:module');

module.exports = {
  process: (code) => ({ code: stripTypeScriptTypes(code, { mode: 'strip' }) }),
  getCacheKey: (code, file, options) =>
    createHash('sha1')
      .update(process.version)
      .update(file)
      .update(code)
      .update(String(options.instrument))
      .digest('hex'),
};

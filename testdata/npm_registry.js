// SPDX-License-Identifier: Apache-2.0
//
// A registry for npm on this machine, with the packages in a directory: node npm_registry.js DIRECTORY. It prints its address.
const { execFileSync } = require('child_process');
const fs = require('fs');
const http = require('http');
const path = require('path');

const directory = process.argv[2];
const files = fs.readdirSync(directory).filter((file) => file.endsWith('.tgz'));

const server = http.createServer((request, response) => {
  const wanted = decodeURIComponent(request.url.slice(1));
  if (files.includes(wanted)) {
    response.end(fs.readFileSync(path.join(directory, wanted)));
    return;
  }
  const versions = {};
  for (const file of files) {
    const manifest = JSON.parse(
      execFileSync('tar', ['-xOzf', path.join(directory, file), 'package/package.json']));
    if (manifest.name !== wanted) continue;
    manifest.dist = { tarball: `${address}/${file}` };
    versions[manifest.version] = manifest;
  }
  const [latest] = Object.keys(versions);
  response.statusCode = latest ? 200 : 404;
  response.end(JSON.stringify({ name: wanted, 'dist-tags': { latest }, versions }));
});

let address;
server.listen(0, '127.0.0.1', () => {
  address = `http://127.0.0.1:${server.address().port}`;
  console.log(address);
});

// SPDX-License-Identifier: MIT
// ClickHouse's HTTP interface as far as the tests need it, with the real engine (chdb) behind it:
// node clickhouse_server.js FOLDER SCHEMA... prints its port. It ends with its standard input.
// Of every three inserts one is stored and then answered with 500, so that its lines come again.
'use strict';
const fs = require('fs');
const http = require('http');
const zlib = require('zlib');
const {Session} = require('chdb');

const session = new Session(process.argv[2]);
// One statement a call; a comment may hold a semicolon.
const statements = file => fs.readFileSync(file, 'utf8').replace(/--.*$/gm, '').split(/;\s*\n/)
    .map(text => text.trim()).filter(text => text);
for (const file of process.argv.slice(3))
    for (const statement of statements(file))
        session.query(statement);

let inserts = 0;
function answer(request, body) {
    const url = new URL(request.url, 'http://localhost');
    const query = url.searchParams.get('query');
    if (request.method === 'GET' || !query)
        return [200, session.query(query || body.toString(), 'JSONEachRow')];
    const lines = request.headers['content-encoding'] === 'gzip' ? zlib.gunzipSync(body) : body;
    session.query(query + '\n' + lines.toString());
    return ++inserts % 3 === 0 ? [500, 'stored, but who would know'] : [200, ''];
}

http.createServer((request, response) => {
    const parts = [];
    request.on('data', part => parts.push(part));
    request.on('end', () => {
        let result;
        try {
            result = answer(request, Buffer.concat(parts));
        } catch (error) {
            result = [400, String(error)];
        }
        response.writeHead(result[0]);
        response.end(result[1]);
    });
}).listen(0, '127.0.0.1', function () { console.log(this.address().port); });
process.stdin.on('end', () => process.exit(0)).resume();

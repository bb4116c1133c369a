// Reads a JSON list of LogQL queries, and prints a JSON list of faults: each query that Grafana's grammar of LogQL refuses, and where.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../.tools/logql/", import.meta.url));
const { parser } = require("@grafana/lezer-logql");

const faults = [];
for (const query of JSON.parse(readFileSync(0, "utf8"))) {
  let place = -1;
  parser.parse(query).iterate({
    enter: (node) => {
      if (node.type.isError && place < 0) place = node.from;
    },
  });
  if (place >= 0) faults.push(`not LogQL before "${query.slice(place, place + 30)}": ${query}`);
}
process.stdout.write(JSON.stringify(faults));

// The npm package cron-parser, which lies in the folder named first, as a program that says its
// version and then answers lines: to an expression, a zone, milliseconds since 1970 and a number,
// separated by tabs, so many instants behind that time in milliseconds; "?" when it gives up.
const folder = process.argv[2];
const { CronExpressionParser } = require(folder);

function answer(line) {
  const [expression, tz, time, count] = line.split('\t');
  try {
    const currentDate = new Date(Number(time));
    const parsed = CronExpressionParser.parse(expression, { tz, currentDate });
    const instants = [];
    while (instants.length < Number(count)) instants.push(parsed.next().getTime());
    return instants.join(' ');
  } catch (error) {
    return `? ${error.message}`;
  }
}

console.log(`cron-parser ${require(folder + '/package.json').version}`);
require('readline')
  .createInterface({ input: process.stdin })
  .on('line', (line) => console.log(answer(line)));

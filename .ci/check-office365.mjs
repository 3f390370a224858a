// Checks a running rollcall as an OData V2 client from npm reads Office 365's reports: npm install @odata/client@2.21.10
//
// Environment (demo.env has it): BASE_URL, RWS_USER, RWS_PASSWORD; NODE_SDK, the directory the client is installed in, if it is not
// beside this script. Prints a line for each check, and exits with 1 if any failed. Needs members at computers, as the demo has.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import path from "node:path";

const { BASE_URL, RWS_USER, RWS_PASSWORD, NODE_SDK } = process.env;
const require = createRequire(NODE_SDK ? path.join(path.resolve(NODE_SDK), "package.json") : import.meta.url);
const { OData, ODataDateTime } = require("@odata/client");

const serviceEndpoint = `${BASE_URL.replace(/\/+$/, "")}/ecp/reportingwebservice/reporting.svc/`;
const credential = { username: RWS_USER, password: RWS_PASSWORD };
const client = (more = {}) => OData.New({ serviceEndpoint, credential, ...more });
const set = (period, more) => client(more).getEntitySet(`CsActiveUser${period}`);
const options = () => OData.newOptions();

// "/Date(…)/": the wall clock of the zone, as if it were UTC.
const millis = (row) => Number(/^\/Date\((\d+)\)\/$/.exec(row.Date)[1]);
const literal = (row) => new Date(millis(row)).toISOString().slice(0, 19);

const checks = {
  "rows have dates, and counts as strings": async () => {
    const rows = await set("Weekly").query();
    assert.ok(rows.length > 1);
    const dates = rows.map(millis);
    assert.deepEqual(dates, dates.slice().sort((a, b) => a - b));
    for (const row of rows) {
      assert.match(row.ActiveUsers, /^[1-9]\d*$/);
      assert.match(row.ID, /^\d+$/);
      assert.equal(new Date(millis(row)).getUTCDay(), 0);
      assert.equal(row.__metadata.type, "TenantReporting.CsActiveUserReport");
    }
  },
  "filter, order, select, top and skip": async () => {
    const rows = await set("Weekly").query();
    const some = await set("Weekly").query(
      options().filter(client().newFilter().property("Date").gt(ODataDateTime.from(new Date(millis(rows[0])))))
        .orderby("Date", "desc").select(["Date", "ActiveUsers"]).skip(1).top(2),
    );
    assert.deepEqual(some.map(millis), rows.slice(1).map(millis).reverse().slice(1, 3));
    assert.deepEqual(Object.keys(some[0]).sort(), ["ActiveUsers", "Date", "__metadata"]);
  },
  "the count of all rows and of some": async () => {
    const rows = await set("Weekly").query();
    assert.equal(await set("Weekly").count(), rows.length);
    const most = Math.max(...rows.map((row) => Number(row.ActiveUsers)));
    const busiest = client().newFilter().property("ActiveUsers").eq(most);
    assert.equal(await set("Weekly").count(busiest), rows.filter((row) => Number(row.ActiveUsers) === most).length);
  },
  "the next link leads through all rows": async () => {
    const found = [];
    const daily = { collection: "CsActiveUserDaily" };
    const counted = await client().newRequest({ ...daily, params: options().inlinecount(true) });
    let page = counted;
    for (;;) {
      found.push(...page.d.results.map(millis));
      const next = page.d.__next;
      if (!next) break;
      assert.ok(next.startsWith(BASE_URL), next);
      const token = new URL(next).searchParams.get("$skiptoken");
      page = await client().newRequest({ ...daily, params: options().custom("$skiptoken", token) });
    }
    assert.equal(found.length, Number(counted.d.__count));
    assert.deepEqual(found, [...new Set(found)].sort((a, b) => a - b));
  },
  "a row by its key": async () => {
    const [row] = await set("Monthly").query(options().orderby("Date", "desc").top(1));
    const found = await set("Monthly").retrieve(ODataDateTime.from(new Date(millis(row))));
    assert.deepEqual(found, row);
    assert.ok(decodeURIComponent(found.__metadata.uri).endsWith(`CsActiveUserMonthly(datetime'${literal(row)}')`), found.__metadata.uri);
  },
  "X-timezone cuts the periods": async () => {
    const counts = async (zone) => (await set("Weekly", { commonHeaders: { "X-timezone": zone } }).query()).map((row) => row.ActiveUsers);
    assert.deepEqual(await counts("China Standard Time"), await counts("+08:00"));
    assert.notDeepEqual(await counts("+08:00"), await counts("UTC"));
  },
  "errors have the documented words": async () => {
    const asked = (text) => set("Daily").query(options().filter(text));
    await assert.rejects(asked("Date xx 5"), { message: "Syntax error at position 7 in 'Date xx 5'." });
    await assert.rejects(asked("Foo eq 1"), { message: "Could not find a property named 'Foo' on type 'TenantReporting.CsActiveUserReport'." });
    await assert.rejects(set("Hourly").query(), { message: "Resource not found for the segment 'CsActiveUserHourly'." });
  },
  "a wrong password is 401": async () => {
    let status;
    const fetchProxy = async (url, init) => {
      const response = await fetch(url, init);
      status = response.status;
      return { content: {}, response };
    };
    await set("Daily", { fetchProxy, credential: { ...credential, password: `${RWS_PASSWORD}x` } }).query();
    assert.equal(status, 401);
    await set("Daily", { fetchProxy }).query();
    assert.equal(status, 200);
  },
};

let failed = 0;
for (const [promise, run] of Object.entries(checks)) {
  try {
    await run();
    console.log(`ok      ${promise}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${promise}: ${error.message}`);
  }
}
console.log(`${Object.keys(checks).length - failed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);

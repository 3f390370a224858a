// Checks a running rollcall with Feishu's own Node SDK: npm install @larksuiteoapi/node-sdk@1.74.0
//
// Environment (demo.env has it): BASE_URL, FEISHU_APP_ID, FEISHU_APP_SECRET; NODE_SDK, the directory the SDK is installed in, if it is not
// beside this script. Prints a line for each check, and exits with 1 if any failed. Needs meetings within the last week, as the demo has.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import path from "node:path";

const { BASE_URL, FEISHU_APP_ID, FEISHU_APP_SECRET, NODE_SDK } = process.env;
const require = createRequire(NODE_SDK ? path.join(path.resolve(NODE_SDK), "package.json") : import.meta.url);
const lark = require("@larksuiteoapi/node-sdk");

const DAY = 86_400;
const NOW = Math.floor(Date.now() / 1000);
const WEEK = { start_time: String(NOW - 7 * DAY), end_time: String(NOW) };

const quiet = Object.fromEntries(["error", "warn", "info", "debug", "trace"].map((level) => [level, () => {}]));
const settings = { appId: FEISHU_APP_ID, appSecret: FEISHU_APP_SECRET, domain: BASE_URL.replace(/\/+$/, ""), logger: quiet };
const client = new lark.Client(settings);
// This one sends the token it is told.
const manual = new lark.Client({ ...settings, disableTokenCache: true });

async function refused(call, code, fields) {
  const error = await call.then(
    (answer) => assert.fail(`answered ${JSON.stringify(answer)}`),
    (error) => error,
  );
  const answer = error.response;
  assert.equal(answer?.status, 400, String(error));
  assert.equal(answer.data.code, code);
  assert.equal(answer.data.error.log_id, answer.headers["x-tt-logid"]);
  if (fields) assert.deepEqual(answer.data.error.field_violations.map((violation) => violation.field), fields);
}

const checks = {
  "get_daily answers rows of days, and totals that are their sums": async () => {
    const { code, data } = await client.vc.report.getDaily({ params: WEEK });
    assert.equal(code, 0);
    const { daily_report: rows, total_meeting_count: total } = data.meeting_report;
    assert.ok(rows.length === 8 || rows.length === 9, `${rows.length} rows`);
    assert.equal(typeof total, "string");
    assert.equal(Number(total), rows.reduce((sum, row) => sum + Number(row.meeting_count), 0));
    assert.ok(Number(total) > 0, "no meetings within the last week");
  },
  "get_top_user answers users in descending order": async () => {
    const { code, data } = await client.vc.report.getTopUser({ params: { ...WEEK, limit: 100, order_by: 2 } });
    assert.equal(code, 0);
    const minutes = data.top_user_report.map((user) => Number(user.meeting_duration));
    assert.ok(minutes.length > 0);
    assert.deepEqual(minutes, minutes.slice().sort((a, b) => b - a));
  },
  "bad parameters are 121003 and named": async () => {
    const params = { start_time: WEEK.end_time, end_time: WEEK.start_time, limit: 101, order_by: 3 };
    await refused(client.vc.report.getTopUser({ params }), 121003, ["end_time", "limit", "order_by"]);
  },
  "a range older than the last 90 days is 121003": async () => {
    const params = { start_time: String(NOW - 91 * DAY), end_time: String(NOW) };
    await refused(client.vc.report.getDaily({ params }), 121003, ["start_time"]);
  },
  "a forged token is 99991663": async () => {
    await refused(manual.vc.report.getDaily({ params: WEEK }, lark.withTenantToken("t-forged")), 99991663);
  },
  "a wrong secret gets no token": async () => {
    const body = { app_id: FEISHU_APP_ID, app_secret: `${FEISHU_APP_SECRET}x` };
    const answer = await client.auth.tenantAccessToken.internal({ data: body });
    assert.equal(answer.code, 10014);
    assert.equal(answer.tenant_access_token, undefined);
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

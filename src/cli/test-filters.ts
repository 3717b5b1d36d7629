// `godwit test`: runs the tests that a configuration has for its filters.

import type { TestReport } from '../config/run-tests.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { configLoader, issueText } from './local.ts';
import { renderSteps } from './render/explain.ts';
import { safeText, styleFor } from './render/style.ts';
import { plural } from './render/units.ts';
import type { Terminal } from './terminal.ts';

const STEP_INDENT = 7;

/** Fails where a test does, where there is none, and where the configuration is wrong. */
export async function testFilters(file: string, json: boolean, terminal: Terminal): Promise<ExitCode> {
  const { runTests } = await import('../config/run-tests.ts');
  const result = (await configLoader(file, terminal))();
  if (!result.ok) {
    const { issues } = result;
    if (json) await terminal.write(jsonDocument({ file, tests: [], issues }));
    else terminal.warn(await issueText(issues, terminal));
    return EXIT.failed;
  }
  const reports = runTests(result.config);
  const failed = reports.filter(({ failure }) => failure !== undefined).length;
  const code = failed === 0 && reports.length > 0 ? EXIT.ok : EXIT.failed;
  await terminal.write(
    json ? jsonDocument({ file, tests: reports, issues: [] }) : render(file, reports, terminal.color),
  );
  return code;
}

function jsonDocument(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function render(file: string, reports: readonly TestReport[], color: boolean): string {
  const style = styleFor(color);
  if (reports.length === 0)
    return `${safeText(file)} has no tests; one stands under tests: or, in BIRD's language, in test "NAME" { ... }\n`;
  const lines = reports.flatMap(({ name, place, failure }) => {
    if (failure === undefined) return [`${style.good('ok')}   ${safeText(name)}`];
    return [
      `${style.bad('FAIL')} ${safeText(name)} (${safeText(place)})`,
      `     ${safeText(failure.place)}: ${safeText(failure.message)}`,
      renderSteps(failure.steps, STEP_INDENT, { style }).trimEnd(),
    ];
  });
  const failed = reports.filter(({ failure }) => failure !== undefined).length;
  lines.push(`${plural(reports.length, 'test')}, ${failed === 0 ? 'all good' : `${failed} failed`}`);
  return `${lines.join('\n')}\n`;
}

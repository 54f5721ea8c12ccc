/** Makes docs/ops.md from the gradient rules and their cases. With --check it compares and changes nothing. */
import { ruleCases } from '../core/autodiff/rules/cases.ts';
import { findRule, knownOps } from '../core/autodiff/rules/index.ts';
import { keepDocument } from './keep-document.ts';
import { opsDoc } from './ops-doc.ts';

keepDocument(
  'docs/ops.md',
  opsDoc(
    knownOps.flatMap((op) => findRule(op) ?? []),
    ruleCases,
  ),
);

/** Makes docs/hostile-files.md from the rules and limits of core/onnx. With --check it compares and changes nothing. */
import { defaultLimits } from '../core/onnx/validate/limits.ts';
import { rules } from '../core/onnx/validate/rules.ts';
import { hostileFilesDoc } from './hostile-files-doc.ts';
import { keepDocument } from './keep-document.ts';

keepDocument('docs/hostile-files.md', hostileFilesDoc(rules, defaultLimits));

import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

export interface SourceFile {
  /** From the root of the repository, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
  readonly isTest: boolean;
}

/** TypeScript files below a folder, generated ones left out. */
export function sourceFiles(folder: string): readonly SourceFile[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.split('/').includes('generated'))
    .sort()
    .map((name) => {
      const path = join(folder, name);
      const text = readFileSync(join(ROOT, path), 'utf8');
      return { path, text, lines: text.split('\n'), isTest: name.endsWith('.test.ts') };
    });
}

export interface Import {
  readonly file: SourceFile;
  readonly line: number;
  readonly specifier: string;
  /** From the root of the repository, for relative imports; else null. */
  readonly target: string | null;
}

const IMPORT = /(?:\bfrom\s+|\bimport\s*\(\s*|^import\s+)'([^']+)'/;

export function importsOf(file: SourceFile): readonly Import[] {
  return file.lines.flatMap((text, index) => {
    const specifier = IMPORT.exec(text)?.[1];
    if (specifier === undefined || /^\s*(\*|\/\/)/.test(text)) return [];
    const target = specifier.startsWith('.')
      ? relative(ROOT, join(ROOT, dirname(file.path), specifier))
      : null;
    return [{ file, line: index + 1, specifier, target }];
  });
}

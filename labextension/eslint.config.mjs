import js from '@eslint/js';
import jupyter from '@jupyter/eslint-plugin';
import prettier from 'eslint-config-prettier';
import reactHooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    ignores: ['lib', 'node_modules', 'coverage', 'style/*.js', '*.mjs', '*.mts']
  },
  { plugins: { jupyter } },
  jupyter.configs.recommended,
  {
    files: ['src/**/*.{ts,tsx}'],
    extends: [js.configs.recommended, ...tseslint.configs.strictTypeChecked],
    plugins: { 'react-hooks': reactHooks },
    languageOptions: {
      globals: globals.browser,
      parserOptions: {
        project: './tsconfig.test.json',
        tsconfigRootDir: import.meta.dirname
      }
    },
    rules: {
      ...reactHooks.configs.recommended.rules,
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports' }
      ],
      // The house style of Jupyter: constants and options of a class live in a namespace of its name.
      '@typescript-eslint/no-namespace': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true }
      ],
      // Lumino takes methods and their receiver apart: signal.connect(this._on, this).
      '@typescript-eslint/unbound-method': 'off',
      // What is left at the top is needed at activation.
      'jupyter/prefer-lazy-imports': 'off',
      curly: 'error',
      eqeqeq: 'error'
    }
  },
  {
    files: ['src/**/*.spec.{ts,tsx}'],
    // A test that is wrong about it fails all the same.
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' }
  },
  prettier
);

/** How shells learn to complete vmlan's words: each script asks `vmlan complete -- WORDS` what can stand next, and offers files where nothing is known. */
import { print } from './report.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export async function completion(shell: (typeof SHELLS)[number]): Promise<void> {
  print(SCRIPTS[shell]);
}

/** Readline begins a new word behind each `:` and `=`, so what stands before is taken off again. */
const BASH = `# eval "$(vmlan completion bash)" in ~/.bashrc
_vmlan() {
  local line=\${COMP_LINE:0:COMP_POINT} words word before
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  word=\${words[\${#words[@]} - 1]}
  before=\${word%"\${word##*[:=]}"}
  COMPREPLY=()
  while IFS=$'\\t' read -r word _; do
    COMPREPLY+=("\${word#"$before"}")
  done < <("\${words[0]}" complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -o bashdefault -o default -F _vmlan vmlan`;

const ZSH = `#compdef vmlan
# eval "$(vmlan completion zsh)" in ~/.zshrc behind compinit
_vmlan() {
  local -a found
  local line
  for line in "\${(@f)$(\${words[1]} complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] && found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( $#found )); then _describe -V vmlan found; else _files; fi
}
compdef _vmlan vmlan`;

const FISH = `# vmlan completion fish > ~/.config/fish/completions/vmlan.fish
function __vmlan_complete
  set -l words (commandline -opc)
  set -l word (commandline -ct)
  set -l found ($words[1] complete -- $words[2..-1] "$word" 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path "$word"
  end
end
complete -c vmlan -f -a '(__vmlan_complete)'`;

const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH };

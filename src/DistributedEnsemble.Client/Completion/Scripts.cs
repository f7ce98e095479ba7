namespace DistributedEnsemble.Client.Completion;

/// <summary>What a shell runs at its start, so that it asks the program for the words that may come next.</summary>
internal static class Scripts
{
    /// <summary>Bash takes : and = for the ends of words: what stands before them is not to be repeated.</summary>
    public const string Bash =
        """
        _ensemble() {
            local line=${COMP_LINE:0:COMP_POINT} words word prefix suggestion
            read -ra words <<< "$line"
            [[ $line != *[[:space:]] ]] || words+=("")
            word=${words[-1]}
            prefix=${word%"${word##*[=:]}"}
            COMPREPLY=()
            while IFS=$'\t' read -r suggestion _; do
                COMPREPLY+=("${suggestion#"$prefix"}")
            done < <("${words[0]}" complete -- "${words[@]:1}" 2>/dev/null)
            [[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null
        }
        complete -o default -F _ensemble ensemble

        """;

    public const string Zsh =
        """
        #compdef ensemble
        _ensemble() {
            local word meaning
            local -a given ready open readyMeanings openMeanings
            given=("${(@Q)words[2,CURRENT]}")
            while IFS=$'\t' read -r word meaning; do
                if [[ $word == *= ]]; then
                    open+=("$word") openMeanings+=("$word  $meaning")
                else
                    ready+=("$word") readyMeanings+=("$word  $meaning")
                fi
            done < <("$words[1]" complete -- "${given[@]}" 2>/dev/null)
            (( $#ready + $#open )) || { _files; return }
            (( ! $#ready )) || compadd -l -d readyMeanings -a ready
            (( ! $#open )) || compadd -l -S '' -d openMeanings -a open
        }
        if [ "$funcstack[1]" = "_ensemble" ]; then _ensemble "$@"; else compdef _ensemble ensemble; fi

        """;

    /// <summary>Fish would offer files beside the words: they come only where nothing else may stand, also behind --option=.</summary>
    public const string Fish =
        """
        function __ensemble_complete
            set -l words (commandline -opc)
            set -l word (commandline -ct)
            set -l found ($words[1] complete -- $words[2..-1] $word 2>/dev/null)
            if set -q found[1]
                printf '%s\n' $found
            else
                set -l option (string match -r -- '^--[^=]+=' $word)
                for path in (__fish_complete_path (string replace -r -- '^--[^=]+=' '' $word))
                    echo "$option$path"
                end
            end
        end
        complete -c ensemble -f -a '(__ensemble_complete)'

        """;

    public const string PowerShell =
        """
        Register-ArgumentCompleter -Native -CommandName ensemble -ScriptBlock {
            param($word, $line, $position)
            $words = @($line.CommandElements | Where-Object { $_.Extent.EndOffset -lt $position -or $_.Extent.Text -eq $word } | ForEach-Object { $_.Extent.Text })
            if ($word -eq '') { $words += '' }
            & $words[0] complete -- @($words | Select-Object -Skip 1) 2>$null | ForEach-Object {
                $value, $meaning = $_ -split "`t", 2
                if (-not $meaning) { $meaning = $value }
                [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $meaning)
            }
        }

        """;
}

# Asks the agent whose host's folder is $1.
reply="$1/reply-$$"
mkfifo "$reply" || exit 1
trap 'rm -f "$reply"' EXIT
echo "$reply" > "$1/questions"
cat "$reply"

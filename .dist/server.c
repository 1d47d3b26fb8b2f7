// What Hummingbird's coder of forms names and no server of ours reaches: without it, all of Foundation would have to be linked.
__attribute__((used)) const char date_formatter[64] __asm__("$s10Foundation13DateFormatterCMn") = {0};

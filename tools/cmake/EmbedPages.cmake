# cmake -DPAGES="a.md;b.md" -DOUT=FILE -P EmbedPages.cmake: files as strings of
# a C++ file, for tools/gradus/Pages.h.
set(text "#include \"tools/gradus/Pages.h\"\n\nnamespace gradus {\n
std::string_view pageOf(std::string_view code) {\n")
foreach(page IN LISTS PAGES)
  get_filename_component(code ${page} NAME_WE)
  file(READ ${page} contents)
  string(APPEND text "  if (code == \"${code}\")\n    return R\"page(${contents})page\";\n")
endforeach()
string(APPEND text "  return {};\n}\n\n} // namespace gradus\n")
file(WRITE ${OUT} "${text}")

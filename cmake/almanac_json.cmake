# nlohmann/json.hpp without its two literals, which nobody here uses: they are no templates, so every
# file that sees them, precompiled or not, instantiates a whole parser. That took a tenth of the build.
# It stands in front of the library's own, from which it is made.
function(almanac_json folder)
  get_target_property(includes nlohmann_json::nlohmann_json INTERFACE_INCLUDE_DIRECTORIES)
  find_file(header nlohmann/json.hpp HINTS ${includes} NO_CACHE REQUIRED)
  file(READ ${header} text)
  string(REGEX REPLACE
    "JSON_HEDLEY_NON_NULL\\(1\\)[ \n]*inline nlohmann::json(::json_pointer)? operator *\"\"[^}]*}" ""
    text "${text}")
  string(REGEX REPLACE "using nlohmann::literals::json_literals::operator[^;]*;" "" text "${text}")
  file(CONFIGURE OUTPUT ${folder}/nlohmann/json.hpp CONTENT "${text}" @ONLY)
endfunction()

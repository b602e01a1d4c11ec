# SPDX-License-Identifier: MIT
# Run by cpack between installing and packing: what packages have otherwise than `make install`.
string(TOLOWER "${CPACK_GENERATOR}" kind)
if(kind MATCHES "^(deb|rpm)$")
  execute_process(COMMAND ${CPACK_EBT_FOLDER}/${kind}/finish.sh "${CPACK_TEMPORARY_INSTALL_DIRECTORY}"
                  "${CPACK_PACKAGE_VERSION}" "${CPACK_PACKAGE_CONTACT}" COMMAND_ERROR_IS_FATAL ANY)
endif()

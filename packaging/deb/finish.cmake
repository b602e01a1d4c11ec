# SPDX-License-Identifier: MIT
# Run by cpack between installing and packing: what Debian wants otherwise than `make install` has it.
if(CPACK_GENERATOR STREQUAL DEB)
  execute_process(COMMAND ${CPACK_EBT_DEB_FOLDER}/finish.sh "${CPACK_TEMPORARY_INSTALL_DIRECTORY}"
                  "${CPACK_PACKAGE_VERSION}" "${CPACK_PACKAGE_CONTACT}" COMMAND_ERROR_IS_FATAL ANY)
endif()

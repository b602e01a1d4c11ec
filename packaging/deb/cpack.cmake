# SPDX-License-Identifier: MIT
# What is Debian's of ../cpack.cmake.
set(folder ${CMAKE_SOURCE_DIR}/packaging/deb)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_DEBUGINFO_PACKAGE OFF)

set(CPACK_DEBIAN_PROGRAMS_PACKAGE_NAME ebpf-telemetry)
set(CPACK_DEBIAN_PROGRAMS_DESCRIPTION "${programs_summary}\n${programs_description}")
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_CONTROL_EXTRA ${folder}/postinst ${folder}/prerm ${folder}/postrm ${folder}/conffiles)

set(CPACK_DEBIAN_DEBUG_PACKAGE_NAME ebpf-telemetry-dbgsym)
set(CPACK_DEBIAN_DEBUG_PACKAGE_SECTION debug)
set(CPACK_DEBIAN_DEBUG_PACKAGE_DEPENDS "ebpf-telemetry (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_DEBUG_DESCRIPTION "${debug_summary}\n${debug_description}")

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libebpf-loader1)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${folder}/shlibs ${folder}/triggers)
set(CPACK_DEBIAN_LIBRARY_DESCRIPTION "${library_summary}\n${library_description}")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libebpf-loader-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
# The last three: pkg-config asks for what ebpf_loader.pc requires.
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    "libebpf-loader1 (= ${PROJECT_VERSION}), libbpf-dev, libelf-dev, zlib1g-dev")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "${development_summary}\n${development_description}")

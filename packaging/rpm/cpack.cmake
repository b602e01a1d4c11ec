# SPDX-License-Identifier: MIT
# What is rpm's of ../cpack.cmake: packages that rpm 4.11 and later install, of Amazon Linux 2 and Red Hat 8, too.
set(folder ${CMAKE_SOURCE_DIR}/packaging/rpm)
set(CPACK_RPM_COMPONENT_INSTALL ON)
set(CPACK_PACKAGE_RELOCATABLE OFF)
set(CPACK_RPM_PACKAGE_VENDOR ${maintainer_name})
set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_COMPRESSION_TYPE xz)
set(CPACK_RPM_PACKAGE_RELEASE 1)
set(CPACK_RPM_PACKAGE_GROUP System/Monitoring)
set(CPACK_RPM_PACKAGE_LICENSE "MIT AND LGPL-2.1-only AND GPL-2.0-only")
string(TIMESTAMP day "%a %b %d %Y" UTC) # of SOURCE_DATE_EPOCH, where that is set
file(WRITE ${CMAKE_BINARY_DIR}/packaging/rpm-changelog
     "* ${day} ${CPACK_PACKAGE_CONTACT} - ${PROJECT_VERSION}-1\n- See the changelog of the program.\n")
set(CPACK_RPM_CHANGELOG_FILE ${CMAKE_BINARY_DIR}/packaging/rpm-changelog)
# Nothing is compressed, stripped or split again, and the same bytes come out each time.
set(CPACK_RPM_SPEC_MORE_DEFINE "%global __os_install_post %{nil}
%global debug_package %{nil}
%global _build_id_links none
%global _buildhost localhost
%global packager ${CPACK_PACKAGE_CONTACT}
%global use_source_date_epoch_as_buildtime 1
%global clamp_mtime_to_source_date_epoch 1
%global source_date_epoch_from_changelog 0
%global _source_filedigest_algorithm 8
%global _binary_filedigest_algorithm 8")
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION /etc /etc/logrotate.d /usr/sbin /usr/lib /usr/lib/systemd /usr/lib/systemd/system /usr/lib/debug
    /usr/lib/pkgconfig /usr/lib64 /usr/lib64/pkgconfig /usr/share/man /usr/share/man/man5 /usr/share/man/man8
    /usr/share/bash-completion /usr/share/bash-completion/completions /usr/share/zsh /usr/share/zsh/site-functions
    /usr/share/doc /usr/share/licenses /usr/share/pkgconfig)

set(CPACK_RPM_PROGRAMS_PACKAGE_NAME ebpf-telemetry)
set(CPACK_RPM_PROGRAMS_PACKAGE_SUMMARY "Host telemetry by eBPF: which process did what")
set(CPACK_RPM_PROGRAMS_PACKAGE_DESCRIPTION "${programs_description}")
set(CPACK_RPM_PROGRAMS_PACKAGE_AUTOREQPROV OFF)
set(CPACK_RPM_PROGRAMS_POST_INSTALL_SCRIPT_FILE ${folder}/post)
set(CPACK_RPM_PROGRAMS_PRE_UNINSTALL_SCRIPT_FILE ${folder}/preun)
set(CPACK_RPM_PROGRAMS_POST_UNINSTALL_SCRIPT_FILE ${folder}/postun)
file(STRINGS ${CMAKE_SOURCE_DIR}/packaging/deb/conffiles conffiles)
list(TRANSFORM conffiles PREPEND "%config(noreplace) ")
set(CPACK_RPM_PROGRAMS_USER_FILELIST ${conffiles})

set(CPACK_RPM_DEBUG_PACKAGE_NAME ebpf-telemetry-debuginfo)
set(CPACK_RPM_DEBUG_PACKAGE_GROUP Development/Debug)
set(CPACK_RPM_DEBUG_PACKAGE_SUMMARY "Debug information for ebpf-telemetry")
set(CPACK_RPM_DEBUG_PACKAGE_DESCRIPTION "${debug_description}")
set(CPACK_RPM_DEBUG_PACKAGE_AUTOREQPROV OFF)
set(CPACK_RPM_DEBUG_PACKAGE_REQUIRES "ebpf-telemetry = ${PROJECT_VERSION}-1")

set(CPACK_RPM_LIBRARY_PACKAGE_NAME libebpf-loader1)
set(CPACK_RPM_LIBRARY_PACKAGE_GROUP System/Libraries)
set(CPACK_RPM_LIBRARY_PACKAGE_SUMMARY "Library to load the eBPF programs of ebpf_telemetry")
set(CPACK_RPM_LIBRARY_PACKAGE_DESCRIPTION "${library_description}")
set(CPACK_RPM_LIBRARY_POST_INSTALL_SCRIPT_FILE ${folder}/ldconfig)
set(CPACK_RPM_LIBRARY_POST_UNINSTALL_SCRIPT_FILE ${folder}/ldconfig)

set(CPACK_RPM_DEVELOPMENT_PACKAGE_NAME libebpf-loader-devel)
set(CPACK_RPM_DEVELOPMENT_PACKAGE_GROUP Development/Libraries)
set(CPACK_RPM_DEVELOPMENT_PACKAGE_SUMMARY "Headers of the library to load the eBPF programs of ebpf_telemetry")
set(CPACK_RPM_DEVELOPMENT_PACKAGE_DESCRIPTION "${development_description}")
set(CPACK_RPM_DEVELOPMENT_PACKAGE_REQUIRES
    "libebpf-loader1 = ${PROJECT_VERSION}-1, pkgconfig(libbpf), pkgconfig(libelf), pkgconfig(zlib)")
